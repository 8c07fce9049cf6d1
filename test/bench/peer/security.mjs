// The well-known test keys of ZeroMQ's own documentation: they protect nothing.

const SERVER = {
  publicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  secretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
};
const CLIENT = {
  publicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  secretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
};

/** The socket options that the job's security needs. */
export function security(job, server) {
  if (!job.curve) return {};
  return server ? { curveServer: true, curveSecretKey: SERVER.secretKey } : {
    curveServerKey: SERVER.publicKey,
    curvePublicKey: CLIENT.publicKey,
    curveSecretKey: CLIENT.secretKey,
  };
}
