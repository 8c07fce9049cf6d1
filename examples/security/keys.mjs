// @ts-check
// Key pairs for this example alone: whoever can read a secret key can pass for its
// owner, so real ones belong in no source file. `curveKeyPair()` makes a new pair.

export const server = {
  publicKey: "g<MlU>nn?S9CWO^{G5UF4%Q4j[Fc3ihvN(BYK/a*",
  secretKey: "WeP+XzI2#^^@2Vj1aTtvGdHS*PbTM8J73FLxmVb#",
};

/** The clients that the server admits. */
export const clients = {
  alice: {
    publicKey: "4p>=<x!IvFQ>3CV.H}9qx/<1+{e7?lndX}<bF2VA",
    secretKey: "91FHta.nKY:s179P2GH4.AjSj@dP0*MShNfOpKYV",
  },
  bob: {
    publicKey: "CA9^%V(*k8/4fvRlSnRbqlLZa@dyWc/>sh^D!Ho7",
    secretKey: "/1z@@>({9MVHrR=2O@kfVF?T@*5iNRR!T44X&{*z",
  },
};
