/*  Looking at private members of libzmq: an explicit instantiation may name them.  */
#ifndef ZW_SHOW_HPP
#define ZW_SHOW_HPP

template <typename Member, typename Member::type pointer> struct show_t
{
    friend typename Member::type look (Member) { return pointer; }
};

#endif
