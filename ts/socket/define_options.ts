/**
 * What classes have that is not written in them: options as properties, their names.
 */
import { GET_OPTION, SET_OPTION } from "./internals.ts";
import type { Option, Options } from "./options.ts";

/**
 * Gives a class the name it is exported by: in a bundle it has another, if that is taken, or
 * used within the class.
 */
export function setName(type: object, name: string): void {
  Object.defineProperty(type, "name", { value: name });
}

export type Property = PropertyDescriptor & { readonly name: PropertyKey };

/**
 * Once something inherits from it, V8 adds to an object; before, it copies it each time: all
 * sockets' options were 100 KB of garbage, and a fourth of the import's.
 */
function makeBase(prototype: object): void {
  Object.create(prototype);
}

/** Gives a class more properties. */
export function addProperties(
  { prototype }: { prototype: object },
  properties: readonly Property[],
): void {
  makeBase(prototype);
  for (const property of properties) {
    Object.defineProperty(prototype, property.name, property);
  }
}

interface Accessible {
  [GET_OPTION](option: Option): unknown;
  [SET_OPTION](name: string, option: Option, value: unknown): void;
}

/** One for all: V8 collects as soon as there is 1 MB of new objects, for a millisecond. */
const shared: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get: undefined,
  set: undefined,
};

/** The option as a property, until the next call. */
function asProperty(name: string, option: Option): PropertyDescriptor {
  shared.get = function (this: Accessible) {
    return this[GET_OPTION](option);
  };
  shared.set = option.access === "r"
    ? undefined
    : function (this: Accessible, value: unknown) {
      this[SET_OPTION](name, option, value);
    };
  return shared;
}

/** Options as properties, for several classes. */
export function asProperties(options: Options): Property[] {
  return Object.keys(options).map((name) => ({
    name,
    ...asProperty(name, options[name]!),
  }));
}

/** Gives a class the options as properties. */
export function defineOptions(
  { prototype }: { prototype: object },
  ...groups: Options[]
): void {
  makeBase(prototype);
  for (const group of groups) {
    for (const name in group) {
      Object.defineProperty(prototype, name, asProperty(name, group[name]!));
    }
  }
}

/** Sets the options given to a constructor; engines differ in what they say of unknown ones. */
export function assignOptions(to: object, options: object): void {
  for (const name of Object.keys(options)) {
    if (!(name in to)) {
      throw new TypeError(
        `Cannot add property ${name}, object is not extensible`,
      );
    }
  }
  Object.assign(to, options);
}
