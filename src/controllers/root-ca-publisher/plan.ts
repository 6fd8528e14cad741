// The ConfigMap by which Pods know the API server (api-machinery 12.5).

import type { ConfigMap, Namespace } from "../../api/index.ts";

export const rootCertificateName = "kube-root-ca.crt";

const descriptionAnnotation = "kubernetes.io/description";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or " +
  "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export type RootCertificatePlan =
  | { readonly kind: "nothing" }
  | { readonly kind: "create"; readonly draft: { readonly [field: string]: unknown } }
  | { readonly kind: "update"; readonly configMap: ConfigMap };

/** @param certificate the CA bundle, PEM */
export function planRootCertificate(
  namespace: Namespace | undefined,
  present: ConfigMap | undefined,
  certificate: string,
): RootCertificatePlan {
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return { kind: "nothing" };
  const annotations = { [descriptionAnnotation]: description };
  const data = { "ca.crt": certificate };
  if (present === undefined) {
    const metadata = { name: rootCertificateName, namespace: namespace.metadata.name, annotations };
    return { kind: "create", draft: { metadata, data } };
  }
  const isRight =
    present.data?.["ca.crt"] === certificate &&
    Object.keys(present.data).length === 1 &&
    present.metadata.annotations?.[descriptionAnnotation] === description;
  if (isRight) return { kind: "nothing" };
  const metadata = { ...present.metadata, annotations: { ...present.metadata.annotations, ...annotations } };
  return { kind: "update", configMap: { ...present, metadata, data } };
}
