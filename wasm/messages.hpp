#ifndef __ZW_MESSAGES_HPP_INCLUDED__
#define __ZW_MESSAGES_HPP_INCLUDED__

namespace zw
{
//  Lets go of the properties of connections that nobody else holds any more.
void forget_properties ();
}

#endif
