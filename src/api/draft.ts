/**
 * What a client may send for a `T`: every field may be left out, at every depth, because defaulting and the registry complete it.
 *
 * @example
 * const draft: Draft<Pod> = { metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "web:1" }] } };
 */
export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly Draft<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> }
    : T;
