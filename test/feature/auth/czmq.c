/*  CZMQ's zcert and zauth for czmq.node.test.ts.  */
#include <czmq.h>

static void show (zcert_t *cert, const char *name)
{
    const char *const value = zcert_meta (cert, name);
    printf ("%s\n%s\n%s\n", zcert_public_txt (cert), zcert_secret_txt (cert),
            value ? value : "-");
    fflush (stdout);
}

int main (int argc, char **argv)
{
    const char *const what = argc > 2 ? argv[1] : "";
    zsys_handler_set (NULL);
    if (streq (what, "create")) { /* FILE */
        zcert_t *cert = zcert_new ();
        zcert_set_meta (cert, "name", "%s", "made by CZMQ");
        if (zcert_save (cert, argv[2]))
            return 1;
        show (cert, "name");
        zcert_destroy (&cert);
    } else if (streq (what, "read")) { /* FILE */
        zcert_t *cert = zcert_load (argv[2]);
        if (!cert)
            return 1;
        show (cert, "name");
        zcert_destroy (&cert);
    } else if (streq (what, "serve")) { /* FOLDER of known clients */
        zactor_t *auth = zactor_new (zauth, NULL);
        zstr_sendx (auth, "CURVE", argv[2], NULL);
        zsock_wait (auth);
        zcert_t *cert = zcert_new ();
        zsock_t *pull = zsock_new (ZMQ_PULL);
        zcert_apply (cert, pull);
        zsock_set_curve_server (pull, 1);
        zsock_set_rcvtimeo (pull, 10000);
        const int port = zsock_bind (pull, "tcp://127.0.0.1:*");
        printf ("%d %s\n", port, zcert_public_txt (cert));
        fflush (stdout);
        char *text = zstr_recv (pull);
        printf ("%s\n", text ? text : "nothing came");
        zstr_free (&text);
        zsock_destroy (&pull);
        zcert_destroy (&cert);
        zactor_destroy (&auth);
    } else if (streq (what, "send")) { /* FILE ENDPOINT SERVER-KEY TEXT */
        zcert_t *cert = zcert_load (argv[2]);
        zsock_t *push = zsock_new (ZMQ_PUSH);
        if (!cert)
            return 1;
        zcert_apply (cert, push);
        zsock_set_curve_serverkey (push, argv[4]);
        zsock_set_linger (push, 10000);
        if (zsock_connect (push, "%s", argv[3]))
            return 1;
        zstr_send (push, argv[5]);
        zsock_destroy (&push);
        zcert_destroy (&cert);
    } else
        return 2;
    zsys_shutdown ();
    return 0;
}
