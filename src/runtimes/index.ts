// The public door `lifepod/runtimes`: the contract of a container runtime and the suite that checks it, so that others can write one.

export type { ContractOptions, ContractProgram, ContractRunner, ContractStep, RuntimeUnderTest } from "./contract.ts";
export { runtimeContract, shellScriptOf } from "./contract.ts";
export type { NodeFilesystem, ProjectedFile } from "./node-filesystem.ts";
export * from "./runtime-service.ts";
