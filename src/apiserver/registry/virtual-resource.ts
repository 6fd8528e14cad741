// Resources that are not stored: an object is sent, and comes back with an answer in its status (api-machinery 9.4).

import type { GroupVersionKind } from "../../api/schema/schema.ts";
import type { JsonObject, UserInfo } from "../../api/wire/request.ts";
import type { ApiObject } from "./api-object.ts";

export interface VirtualResource {
  readonly gvk: GroupVersionKind;
  /** The status of what `user` sent. @throws StatusError Invalid, BadRequest */
  answer(sent: ApiObject, user: UserInfo): JsonObject;
}
