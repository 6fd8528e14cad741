// Who may do what: a client who has shown who they are is an administrator and may do everything; nobody else may do more than ask how the server is.

import type { UserInfo } from "../api/wire/request.ts";

export const anonymousName = "system:anonymous";

/** Whether this user may see the path and do anything there. */
export function isAllowed(user: UserInfo, path: string): boolean {
  return isAdministrator(user) || isOpenPath(path);
}

/** Whether this user may do everything. */
export function isAdministrator({ username }: UserInfo): boolean {
  return username !== anonymousName;
}

/** Upstream lets everybody see these (the role system:public-info-viewer). */
function isOpenPath(path: string): boolean {
  return path === "/version" || path === "/version/" || /^\/(?:livez|readyz|healthz)(?:\/|$)/.test(path);
}
