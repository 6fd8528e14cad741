// Service accounts: upstream checks no more than their metadata, and keeps of the secrets they name only the names.

import type { ServiceAccount } from "../../generated/core-v1.ts";

const mountableSecretsAnnotation = "kubernetes.io/enforce-mountable-secrets";

/** The account as it is stored. */
export function prepareServiceAccount(account: ServiceAccount): ServiceAccount {
  const { secrets } = account;
  if (secrets === undefined) return account;
  return { ...account, secrets: secrets.map(({ name }) => (name === undefined ? {} : { name })) };
}

/** @param old the account before an update */
export function serviceAccountWarnings(account: ServiceAccount, old?: ServiceAccount): readonly string[] {
  const isMarked = ({ metadata }: ServiceAccount): boolean =>
    metadata.annotations !== undefined && Object.hasOwn(metadata.annotations, mountableSecretsAnnotation);
  if (!isMarked(account) || (old !== undefined && isMarked(old))) return [];
  return [
    `metadata.annotations[${mountableSecretsAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ];
}
