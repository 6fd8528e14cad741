// A rule of a Pod's life, and what checks it.

/** A chapter of the document: one section of the specification's pod-lifecycle. */
export interface Chapter {
  readonly number: number;
  readonly title: string;
  readonly parts: readonly Part[];
}

export interface Part {
  /** `1.2` */
  readonly number: string;
  readonly title: string;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** `1.2-3`: the third rule of part 1.2. An id is not given twice, and not given anew. */
  readonly id: string;
  /** The rule in our own words and Kubernetes' terms, as a sentence for people who use Pods. */
  readonly says: string;
  /**
   * Checks of a decision that is made before any runtime is asked: by the API server, or by the kubelet as a pure function of what it sees. The
   * same code decides over each runtime, so a proof of it is one for all.
   */
  readonly above?: readonly Check[];
  /** Checks of the decision alone where the rule is only kept if a runtime does its part. They prove nothing about a runtime. */
  readonly decision?: readonly Check[];
  /** Titles of stories of test/scenarios. They prove the simulated runtime, and each other runtime that the record of agreement says agrees. */
  readonly stories?: readonly string[];
  /** Names of checks of the runtime contract. They prove each runtime that does not name them as a gap. */
  readonly contract?: readonly string[];
  /** Checks of one runtime. */
  readonly on?: Partial<Readonly<Record<Runtime, readonly Check[]>>>;
  /** Why a runtime cannot keep the rule. */
  readonly cannot?: Partial<Readonly<Record<Runtime, string>>>;
  /** The Pod fields that the rule gives their meaning: `PodSpec.restartPolicy`, or `Toleration` for all fields of a message. */
  readonly fields?: readonly string[];
}

export const runtimes = ["simulated", "process", "containerd"] as const;
export type Runtime = (typeof runtimes)[number];

/** A test by its file and its full name (`outer > inner > name`). A name that ends in `*` stands for all tests that begin so, at least one. */
export interface Check {
  readonly file: string;
  readonly test: string;
}

/** The checks of one file, of one group in it if the titles share it. */
export function testsOf(file: string, group?: string): (...titles: readonly string[]) => readonly Check[] {
  return (...titles) => titles.map((title) => ({ file, test: group === undefined ? title : `${group} > ${title}` }));
}
