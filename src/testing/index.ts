// The testing API's public door: stories on the virtual clock.
export { hours, type Millis, millis, minutes, seconds } from "../base/time.ts";
export { type ContainerDraft, configMap, pod, type PodOptions, secret } from "./builders.ts";
export * from "./predicates.ts";
export { type LogOptions, type ObjectName, type Story, StoryTeller, story, tellStory } from "./story.ts";
