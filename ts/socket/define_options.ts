/**
 * Options as properties of classes.
 */
import type { Option } from "./options.ts";

/** Gives a class the options as properties. */
export function defineOptions(
  target: { prototype: object },
  ...groups: Readonly<Record<string, Option>>[]
): void {
  for (const [name, option] of groups.flatMap((g) => Object.entries(g))) {
    const accessors = target.prototype as {
      getOption(option: Option): unknown;
      setOption(name: string, option: Option, value: unknown): void;
    };
    void accessors;
    Object.defineProperty(target.prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: typeof accessors) {
        return this.getOption(option);
      },
      set: option.access === "r"
        ? undefined
        : function (this: typeof accessors, value: unknown) {
          this.setOption(name, option, value);
        },
    });
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
