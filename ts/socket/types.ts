/**
 * Which class a socket type of libzmq has, and what its sockets can do: for
 * `new Socket(type)` and for classes derived from Socket alone.
 */

type SocketClass = {
  new (options: object): unknown;
  readonly prototype: object;
};

const classes = new Map<number, SocketClass>();

export function register(type: number, socketClass: SocketClass): void {
  classes.set(type, socketClass);
}

export function typeOf(type: number): SocketClass | undefined {
  return classes.get(type);
}

/**
 * The methods and options that `socket` lacks because it derives from `base`, which is
 * Socket's prototype, and not from the class of its type.
 */
export function methodsOf(
  type: number,
  socket: object,
  base: object,
): PropertyDescriptorMap {
  const prototype = classes.get(type)?.prototype;
  if (
    prototype === undefined ||
    Object.prototype.isPrototypeOf.call(prototype, socket)
  ) {
    return {};
  }
  let missing: PropertyDescriptorMap = {};
  for (let of = prototype; of !== base; of = Object.getPrototypeOf(of)) {
    missing = { ...Object.getOwnPropertyDescriptors(of), ...missing };
  }
  for (let of = socket; of !== base; of = Object.getPrototypeOf(of)) {
    for (const name of Reflect.ownKeys(of)) delete missing[name];
  }
  for (const name of Reflect.ownKeys(missing)) {
    missing[name]!.enumerable = false;
  }
  return missing;
}
