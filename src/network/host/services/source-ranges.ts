import { BlockList, isIPv6 } from "node:net";
import type { ServiceFrontend } from "../../service-frontends.ts";

/** Whether the load balancer's source ranges let the client in; without ranges they let everybody in. */
export function mayEnter({ role, route }: ServiceFrontend, clientAddress: string): boolean {
  if (role !== "loadBalancer" || route.loadBalancerSourceRanges.length === 0) return true;
  const permitted = new BlockList();
  for (const range of route.loadBalancerSourceRanges) {
    const [network = "", prefix = ""] = range.split("/");
    permitted.addSubnet(network, Number(prefix), isIPv6(network) ? "ipv6" : "ipv4");
  }
  return permitted.check(clientAddress, isIPv6(clientAddress) ? "ipv6" : "ipv4");
}
