import { type Chapter, testsOf } from "./rule.ts";

const claims = testsOf("test/control-plane/volumes.test.ts", "a claim without a class");
const standard = testsOf("test/control-plane/volumes.test.ts", "the class standard");
const pod = testsOf("test/control-plane/volumes.test.ts", "a Pod with a claim");
const provisioned = testsOf("test/control-plane/volumes.test.ts", "a provisioned volume");
const binding = testsOf("src/controllers/persistent-volume/plan.test.ts");
const api = testsOf("test/apiserver/volumes.test.ts", "what is there");
const outliving = testsOf("test/end-to-end/persistent-volumes.test.ts");

const lasts = "keeps what was written through kill -9, and takes it along";

export const volumesChapter: Chapter = {
  number: 14,
  title: "Volumes that outlive a Pod",
  parts: [
    {
      number: "14.1",
      title: "Claims and volumes",
      rules: [
        {
          id: "14.1-1",
          says: "A claim and a volume belong to each other alone; a claim takes what is reserved for it, else the smallest volume that fits.",
          above: [
            ...binding(
              "a claim: takes the smallest that fits",
              "a claim: takes what is reserved for it before what fits better",
            ),
            ...claims("never shares a volume with another, however many ask at once"),
          ],
          fields: ["PersistentVolumeClaimSpec", "VolumeResourceRequirements"],
        },
        {
          id: "14.1-2",
          says: "A volume whose claim is gone is Released, and nobody else's until a person says so.",
          above: claims("and the volume that fits it find each other, and part when the claim goes; the bytes stay"),
        },
        {
          id: "14.1-3",
          says: "A claim of the default class waits for its first consumer; then a folder is made for it on that Pod's node.",
          above: [
            ...standard("is there from the beginning, is the default, and waits for a consumer"),
            ...pod("waits for it, and goes where its volume is made for it"),
          ],
        },
        {
          id: "14.1-4",
          says: "A claim may grow if its class permits it, and never shrinks below what it has.",
          above: [
            ...api(
              "lets a claim grow that is bound and of a class that permits it, and shrink only down to what it has",
            ),
            ...provisioned("grows when its claim asks for more"),
          ],
        },
      ],
    },
    {
      number: "14.2",
      title: "Pods with claims",
      rules: [
        {
          id: "14.2-1",
          says: "A Pod is not placed before its claims are there and, unless they wait for it, bound; then only where its volumes can be reached.",
          above: pod(
            "waits for it, and goes where its volume is made for it",
            "waits for a claim that does not wait for it",
            "follows its volume",
          ),
        },
        {
          id: "14.2-2",
          says: "A claim that is ReadWriteOncePod is used by one Pod at a time.",
          above: pod("has it alone if that is what the claim says"),
        },
        {
          id: "14.2-3",
          says: "A claim that is deleted stays as long as a placed Pod uses it, and takes no new Pod.",
          above: pod("keeps it: a claim that is deleted stays until the Pod is gone, and takes no new Pod"),
        },
        {
          id: "14.2-4",
          says: "What one Pod writes to a claim the next one reads, also when lifepod was killed in between.",
          stories: [
            "the volume of a claim is made for its first Pod, is there for the next one, and goes with the claim",
          ],
          on: {
            process: outliving(`a claim, on process, > ${lasts}`),
            containerd: outliving(`a claim, on containerd, > ${lasts}`),
          },
          fields: ["Volume.persistentVolumeClaim", "PersistentVolumeClaimVolumeSource"],
        },
        {
          id: "14.2-5",
          says: "The claim of a generic ephemeral volume is made from the Pod's template, is the Pod's own and goes with it.",
          above: pod(
            "owns those that are made from its template, and takes them along",
            "does not get somebody else's claim for one of its template",
          ),
          fields: ["Volume.ephemeral", "EphemeralVolumeSource", "PersistentVolumeClaimTemplate", "ObjectMeta"],
        },
      ],
    },
    {
      number: "14.3",
      title: "What becomes of the bytes",
      rules: [
        {
          id: "14.3-1",
          says: "Delete removes what a volume holds when its claim is gone, also if the volume was deleted first, and never anything that lifepod did not make.",
          above: provisioned(
            "goes with its claim, bytes and all",
            "that is deleted before its claim waits for it, and then takes the bytes along",
            "that says it is elsewhere is not deleted there",
          ),
        },
        {
          id: "14.3-2",
          says: "Retain leaves it.",
          above: provisioned("stays with its bytes if its policy has become Retain"),
        },
      ],
    },
  ],
};
