import { expect, it } from "vitest";
import { lostCreations } from "./lost-creations.ts";

const log = [
  'msg="RunPodSandbox for &PodSandboxMetadata{Name:web-1,Uid:u,Namespace:default,Attempt:0,} returns sandbox id \\"aa11\\""',
  'msg="RunPodSandbox for &PodSandboxMetadata{Name:web-10,Uid:v,Namespace:default,Attempt:0,} returns sandbox id \\"bb22\\""',
  'msg="CreateContainer within sandbox \\"aa11\\" for container &ContainerMetadata{Name:main,Attempt:0,}"',
  'msg="CreateContainer within sandbox \\"aa11\\" for &ContainerMetadata{Name:main,Attempt:0,} returns container id \\"cc33\\""',
  'msg="CreateContainer within sandbox \\"aa11\\" for container &ContainerMetadata{Name:main,Attempt:1,}"',
  'msg="CreateContainer within sandbox \\"bb22\\" for container &ContainerMetadata{Name:first,Attempt:0,}"',
].join("\n");

it.each([
  ["web-1", "main", 1],
  ["web-1", "first", 0],
  ["web-10", "first", 1],
  ["web-2", "main", 0],
])("of %s/%s %d creations were never answered", (pod, container, want) => {
  expect(lostCreations(log, pod, container)).toBe(want);
});
