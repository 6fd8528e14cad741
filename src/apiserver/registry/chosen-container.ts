// Which container of a Pod a request for logs or streams means (api-machinery 8.1).

import { textAt } from "../../api/meta/json-object.ts";
import { badRequest } from "../../api/wire/status-error.ts";
import { type ApiObject, listAt, objectAt } from "./api-object.ts";

/**
 * @param asked the name in the request; empty for the only container
 * @throws StatusError BadRequest
 */
export function chosenContainer(pod: ApiObject, asked: string): string {
  const spec = objectAt(pod, "spec");
  const namesIn = (field: string): string[] => listAt(spec, field).map((container) => textAt(container, "name"));
  const regular = namesIn("containers");
  const all = [...namesIn("initContainers"), ...regular, ...namesIn("ephemeralContainers")];
  const { name = "" } = pod.metadata;
  if (asked !== "") {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only, ...more] = regular;
  if (only !== undefined && more.length === 0) return only;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${all.join(" ")}]`);
}
