/** The numbers of C by name; build.sh makes the module from wasm/constants.c. */
export const constants: Readonly<Record<string, number>>;
