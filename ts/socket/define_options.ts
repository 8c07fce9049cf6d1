/**
 * Options as properties of classes.
 */
import type { Option, Options } from "./options.ts";

export type Property = PropertyDescriptor & { readonly name: PropertyKey };

/** Gives a class more properties. */
export function addProperties(
  { prototype }: { prototype: object },
  properties: readonly Property[],
): void {
  // Once something inherits from it, V8 adds to an object; before, it copies it each time:
  // all sockets' options were 100 KB of garbage, and a fourth of the import's.
  Object.create(prototype);
  for (const property of properties) {
    Object.defineProperty(prototype, property.name, property);
  }
}

interface Accessible {
  getOption(option: Option): unknown;
  setOption(name: string, option: Option, value: unknown): void;
}

/**
 * The properties that a group of options makes: the same functions for all classes that
 * have it, because every program waits for them to be made.
 */
const made = new Map<Options, Property[]>();

function propertiesOf(group: Options): Property[] {
  const known = made.get(group);
  if (known) return known;
  const properties: Property[] = [];
  for (const name in group) {
    const option = group[name]!;
    properties.push({
      name,
      enumerable: true,
      configurable: true,
      get(this: Accessible) {
        return this.getOption(option);
      },
      set: option.access === "r"
        ? undefined
        : function (this: Accessible, value: unknown) {
          this.setOption(name, option, value);
        },
    });
  }
  made.set(group, properties);
  return properties;
}

/** Gives a class the options as properties. */
export function defineOptions(
  target: { prototype: object },
  ...groups: Options[]
): void {
  for (const group of groups) addProperties(target, propertiesOf(group));
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
