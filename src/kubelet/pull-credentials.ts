// Which credentials of the pull secrets fit an image.

import type { ImageAuth } from "../runtimes/runtime-service.ts";

/** `auths` of a docker configuration: credentials by registry. */
export type RegistryAuths = Readonly<Record<string, ImageAuth>>;

const dockerHub = "docker.io";

/** All that fit, the most specific path first; in the order of the secrets where they are alike. */
export function pullCredentials(image: string, configs: readonly RegistryAuths[]): readonly ImageAuth[] {
  const target = imageLocation(image);
  return configs
    .flatMap((config) =>
      Object.entries(config).map(([server, auth]) => ({ server, auth, place: serverLocation(server) })),
    )
    .filter(({ place }) => covers(place, target))
    .sort((a, b) => b.place.path.length - a.place.path.length)
    .map(({ server, auth }) => ({ ...decoded(auth), serverAddress: server }));
}

interface Location {
  readonly host: string;
  readonly path: string;
}

function imageLocation(image: string): Location {
  const [first = "", ...rest] = image.split("/");
  const named = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  if (!named) return { host: dockerHub, path: rest.length === 0 ? `library/${first}` : image };
  return { host: first, path: rest.join("/") };
}

function serverLocation(server: string): Location {
  const bare = server.replace(/^https?:\/\//, "").replace(/\/v[12]\/?$/, "");
  const [host = "", ...path] = bare.split("/");
  return { host: host === "index.docker.io" ? dockerHub : host, path: path.filter((part) => part !== "").join("/") };
}

/** Host by parts, where `*` stands for one part; the path by its beginning. */
function covers(place: Location, target: Location): boolean {
  const wanted = target.host.split(".");
  const given = place.host.split(".");
  const hostFits = wanted.length === given.length && given.every((part, i) => part === "*" || part === wanted[i]);
  return hostFits && (place.path === "" || target.path === place.path || target.path.startsWith(`${place.path}/`));
}

/** `auth` is `user:password` in base64. */
function decoded(auth: ImageAuth): ImageAuth {
  if (auth.auth === undefined || auth.auth === "" || auth.username !== undefined) return auth;
  const text = atob(auth.auth);
  const colon = text.indexOf(":");
  return colon < 0 ? auth : { ...auth, username: text.slice(0, colon), password: text.slice(colon + 1) };
}
