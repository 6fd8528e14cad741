// Puts back into package-lock.json the optional packages of other platforms that npm leaves out when the registry at hand does not have them. Without them
// `npm ci` refuses the lock file everywhere. To be run after a change of the dependencies; changes nothing when nothing is missing.

import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const { packages } = lock;

for (let added = true; added; ) {
  added = false;
  for (const [parentPath, parent] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      if (key in packages || `${parentPath}/${key}` in packages) continue;
      packages[key] = platformPackage(name, range, parent.dev === true);
      added = true;
    }
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);

/** What npm needs to know of a package that it will not install here: its version and the platform it is for, which its name tells. */
function platformPackage(name, range, dev) {
  const os = /android|darwin|freebsd|linux|win32|openharmony|openbsd|netbsd/.exec(name)?.[0];
  const cpu = /arm64|riscv64|ppc64|s390x|loong64|x64|ia32|armv7|arm|wasm32/.exec(name)?.[0];
  if (os === undefined && cpu === undefined)
    throw new Error(`${name} is missing in the lock file and its name tells no platform: add it by hand`);
  const libc = name.includes("musl") ? "musl" : name.includes("gnu") ? "glibc" : undefined;
  return {
    version: range.replace(/^[\^~=]/, ""),
    optional: true,
    ...(dev && { dev }),
    ...(os && { os: [os] }),
    ...(cpu && { cpu: [cpu === "armv7" ? "arm" : cpu] }),
    ...(libc && { libc: [libc] }),
  };
}
