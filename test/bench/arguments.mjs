// KEY=VALUE arguments, as numbers where they are numbers. The peers get their jobs so.

export function parse(args) {
  return Object.fromEntries(args.map((argument) => {
    const at = argument.indexOf("=");
    const value = argument.slice(at + 1);
    return [
      argument.slice(0, at),
      /^[0-9.]+$/.test(value) ? Number(value) : value,
    ];
  }));
}
