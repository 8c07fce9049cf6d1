/**
 * Options as properties of classes.
 */
import type { Option, Options } from "./options.ts";

interface Accessible {
  getOption(option: Option): unknown;
  setOption(name: string, option: Option, value: unknown): void;
}

/**
 * The properties that a group of options makes: the same functions for all classes that
 * have it, because every program waits for them to be made.
 */
const made = new Map<Options, PropertyDescriptorMap>();

function propertiesOf(group: Options): PropertyDescriptorMap {
  const known = made.get(group);
  if (known) return known;
  const properties: PropertyDescriptorMap = {};
  for (const name in group) {
    const option = group[name]!;
    properties[name] = {
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
    };
  }
  made.set(group, properties);
  return properties;
}

/** Gives a class the options as properties. */
export function defineOptions(
  target: { prototype: object },
  ...groups: Options[]
): void {
  for (const group of groups) {
    Object.defineProperties(target.prototype, propertiesOf(group));
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
