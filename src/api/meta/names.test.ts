import { describe, expect, it } from "vitest";
import * as names from "./names.ts";

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const qualified =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

describe("names", () => {
  it.each<[string, names.NameCheck, string, string[]]>([
    ["a label", names.dns1123LabelProblems, "web-0", []],
    ["a label of 63", names.dns1123LabelProblems, "a".repeat(63), []],
    ["a label of 64", names.dns1123LabelProblems, "a".repeat(64), ["must be no more than 63 characters"]],
    ["a label with dots", names.dns1123LabelProblems, "a.b", ["must not contain dots"]],
    ["a label in upper case", names.dns1123LabelProblems, "Web", [label]],
    ["an empty label", names.dns1123LabelProblems, "", [label]],
    ["a label ending in a line break", names.dns1123LabelProblems, "web\n", [label]],
    ["a subdomain", names.dns1123SubdomainProblems, "a.b-c.d1", []],
    ["a subdomain with an underscore", names.dns1123SubdomainProblems, "A_b", [subdomain]],
    ["a subdomain of 254", names.dns1123SubdomainProblems, "a".repeat(254), ["must be no more than 253 characters"]],
    ["a search domain with an underscore", names.dns1123SubdomainWithUnderscoreProblems, "_tcp.example.com", []],
    ["an RFC 1035 label", names.dns1035LabelProblems, "abc-123", []],
    ["an RFC 1035 label that begins with a digit", names.dns1035LabelProblems, "1abc", [dns1035]],
    ["a path segment", names.pathSegmentProblems, "system:node", []],
    ["a path segment of two dots", names.pathSegmentProblems, "..", ["may not be '..'"]],
    ["a path segment with a slash", names.pathSegmentProblems, "a/b%", ["may not contain '/'", "may not contain '%'"]],
    ["a qualified name", names.qualifiedNameProblems, "example.com/My_Name", []],
    ["a qualified name without a prefix", names.qualifiedNameProblems, "app", []],
    ["a qualified name with an empty prefix", names.qualifiedNameProblems, "/app", ["prefix part must be non-empty"]],
    ["a qualified name with a bad prefix", names.qualifiedNameProblems, "A_/app", [`prefix part ${subdomain}`]],
    [
      "a qualified name without a name",
      names.qualifiedNameProblems,
      "a/",
      ["name part must be non-empty", `name part ${qualified}`],
    ],
    [
      "a qualified name of 64",
      names.qualifiedNameProblems,
      "n".repeat(64),
      ["name part must be no more than 63 bytes"],
    ],
    [
      "a qualified name with two slashes",
      names.qualifiedNameProblems,
      "a/b/c",
      [`a valid label key ${qualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`],
    ],
    ["an empty label value", names.labelValueProblems, "", []],
    ["a label value with a blank", names.labelValueProblems, "a b", [labelValue]],
    ["a long label value", names.labelValueProblems, "v".repeat(64), ["must be no more than 63 bytes"]],
    ["a port name", names.portNameProblems, "http-alt", []],
    ["a port name of 16", names.portNameProblems, "abcdefghijklmnop", ["must be no more than 15 characters"]],
    ["a port name of digits", names.portNameProblems, "80", ["must contain at least one letter (a-z)"]],
    [
      "a port name of hyphens",
      names.portNameProblems,
      "--",
      [
        "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
      ],
    ],
    ["an environment variable with odd characters", names.environmentVariableNameProblems, "a b/c", []],
    [
      "an empty environment variable",
      names.environmentVariableNameProblems,
      "",
      ["environment variable name must be non-empty"],
    ],
    [
      "an environment variable with =",
      names.environmentVariableNameProblems,
      "a=b",
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
    ["a config key", names.configMapKeyProblems, "app.conf", []],
    ["a config key that climbs", names.configMapKeyProblems, "..", ["must not be '..'"]],
    ["a config key that begins with two dots", names.configMapKeyProblems, "..data", ["must not start with '..'"]],
    ["a header name", names.httpHeaderNameProblems, "X-Probe", []],
    ["an IPv4 address", names.ipAddressProblems, "10.9.8.7", []],
    [
      "an IPv4 address with a leading zero",
      names.ipAddressProblems,
      "10.9.08.7",
      ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
    ],
  ])("judges %s", (_what, check, name, problems) => {
    expect(check(name)).toEqual(problems);
  });

  it.each([
    ["::", true],
    ["::1", true],
    ["2001:db8::ffff", true],
    ["1:2:3:4:5:6:7:8", true],
    ["1:2:3:4:5:6:7::", true],
    ["::ffff:10.0.0.1", true],
    ["64:ff9b::10.0.0.256", false],
    ["1:2:3:4:5:6:7", false],
    ["1::2::3", false],
    ["1:2:3:4:5:6:7:8::", false],
    ["10.0.0.1::", false],
    ["", false],
    ["g::1", false],
    ["12345::", false],
  ])("knows whether %j is IPv6: %s", (address, is) => {
    expect(names.isIpv6(address)).toBe(is);
  });

  it.each([
    [0, false],
    [1, true],
    [65535, true],
    [65536, false],
    [1.5, false],
  ])("knows whether %d is a port: %s", (port, is) => {
    expect(names.portNumberProblems(port)).toEqual(is ? [] : ["must be between 1 and 65535, inclusive"]);
  });

  it("counts bytes, not characters", () => {
    expect(["a", "é", "☃", "😀"].map(names.byteLength)).toEqual([1, 2, 3, 4]);
  });
});
