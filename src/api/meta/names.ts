// The grammars of names. Each function answers with the list of complaints in upstream's words, empty if the name is good
// (api-machinery 3.2, pod-lifecycle 15.2).

/** Complaints about a string; none means it is good. */
export type NameCheck = (name: string) => string[];

/** A DNS-1123 label: container names, namespaces, volumes. At most 63 characters. */
export function dns1123LabelProblems(name: string): string[] {
  const problems = longerThan(name, 63);
  if (!dns1123Label.test(name)) {
    const onlyDots = dns1123Subdomain.test(name);
    problems.push(
      onlyDots ? "must not contain dots" : regexProblem(dns1123LabelText, dns1123LabelFormat, ["my-name", "123-abc"]),
    );
  }
  return problems;
}

/** A DNS-1123 subdomain: most object names. At most 253 characters. */
export function dns1123SubdomainProblems(name: string): string[] {
  const problems = longerThan(name, 253);
  if (!dns1123Subdomain.test(name))
    problems.push(regexProblem(dns1123SubdomainText, dns1123SubdomainFormat, ["example.com"]));
  return problems;
}

/** A DNS-1123 subdomain that may hold underscores: DNS search domains. */
export function dns1123SubdomainWithUnderscoreProblems(name: string): string[] {
  const problems = longerThan(name, 253);
  if (!dns1123SubdomainWithUnderscore.test(name)) {
    problems.push(
      regexProblem(dns1123SubdomainWithUnderscoreText, dns1123SubdomainWithUnderscoreFormat, ["example.com"]),
    );
  }
  return problems;
}

/** An RFC 1035 label: Services. */
export function dns1035LabelProblems(name: string): string[] {
  const problems = longerThan(name, 63);
  if (!dns1035Label.test(name))
    problems.push(regexProblem(dns1035LabelText, dns1035LabelFormat, ["my-name", "abc-123"]));
  return problems;
}

/** A part of a URL path: RBAC names. */
export function pathSegmentProblems(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"]
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** A qualified name: label and annotation keys, finalizers, condition types, gates. `[dns-subdomain/]name`, name at most 63 bytes. */
export function qualifiedNameProblems(name: string): string[] {
  const parts = name.split("/");
  const last = parts.at(-1) ?? "";
  if (parts.length > 2) {
    return [
      `a valid label key ${regexProblem(qualifiedNameText, qualifiedNameFormat, qualifiedNameExamples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") problems.push("prefix part must be non-empty");
    else problems.push(...dns1123SubdomainProblems(prefix).map((problem) => `prefix part ${problem}`));
  }
  if (last === "") problems.push("name part must be non-empty");
  else if (byteLength(last) > 63) problems.push("name part must be no more than 63 bytes");
  if (!qualifiedName.test(last))
    problems.push(`name part ${regexProblem(qualifiedNameText, qualifiedNameFormat, qualifiedNameExamples)}`);
  return problems;
}

/** A label value: empty, or at most 63 bytes of the label alphabet. */
export function labelValueProblems(value: string): string[] {
  const problems = byteLength(value) > 63 ? ["must be no more than 63 bytes"] : [];
  if (!labelValue.test(value))
    problems.push(regexProblem(labelValueText, labelValueFormat, ["MyValue", "my_value", "12345"]));
  return problems;
}

/** An IANA service name: port names. At most 15 characters. */
export function portNameProblems(name: string): string[] {
  const problems = longerThan(name, 15);
  if (!/^[-a-z0-9]+$/.test(name))
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(name)) problems.push("must contain at least one letter (a-z)");
  if (name.includes("--")) problems.push("must not contain consecutive hyphens");
  if (name.startsWith("-") || name.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}

/** A port number, 1 to 65535. */
export function portNumberProblems(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : [inclusiveRangeProblem(1, 65535)];
}

/** A user or group number, 0 to 2^32-1. */
export function userIdProblems(id: number): string[] {
  return Number.isInteger(id) && id >= 0 && id <= 0xffffffff ? [] : [inclusiveRangeProblem(0, 0xffffffff)];
}

/** An environment variable's name: printable ASCII without `=`. */
export function environmentVariableNameProblems(name: string): string[] {
  if (name === "") return ["environment variable name must be non-empty"];
  if (/^[\x20-\x3c\x3e-\x7e]*$/.test(name)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A key in a ConfigMap or Secret. At most 253 characters, neither `.` nor `..` nor beginning with `..`. */
export function configMapKeyProblems(name: string): string[] {
  const problems = longerThan(name, 253);
  if (!/^[-._a-zA-Z0-9]+$/.test(name)) {
    const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(regexProblem(text, "[-._a-zA-Z0-9]+", ["key.name", "KEY_NAME", "key-name"]));
  }
  if (name === "." || name === "..") problems.push(`must not be '${name}'`);
  else if (name.startsWith("..")) problems.push("must not start with '..'");
  return problems;
}

/** The name of an HTTP header. */
export function httpHeaderNameProblems(name: string): string[] {
  if (/^[-A-Za-z0-9]+$/.test(name)) return [];
  return [
    regexProblem("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", [
      "X-Header-Name",
    ]),
  ];
}

/** An IPv4 or IPv6 address in any of the notations of RFC 4291. */
export function ipAddressProblems(address: string): string[] {
  return isIpv4(address) || isIpv6(address) ? [] : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
}

/** `must be between 1 and 65535, inclusive` */
export function inclusiveRangeProblem(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** Four decimal numbers without leading zeros. */
export function isIpv4(address: string): boolean {
  const parts = address.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Eight groups, of which one run may be left out as `::`; the last two may be written as IPv4. */
export function isIpv6(address: string): boolean {
  const halves = address.split("::");
  if (halves.length > 2) return false;
  const groupsOf = (half: string): string[] => (half === "" ? [] : half.split(":"));
  const groups = halves.flatMap(groupsOf);
  const last = groups.at(-1);
  const endsAsIpv4 = last !== undefined && last.includes(".") && !(halves.length === 2 && halves[1] === "");
  if (endsAsIpv4 && !isIpv4(last)) return false;
  const count = groups.length + (endsAsIpv4 ? 1 : 0);
  const hexadecimal = endsAsIpv4 ? groups.slice(0, -1) : groups;
  if (!hexadecimal.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count <= 7 : count === 8;
}

/** The length in UTF-8, which is what upstream's limits count. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

const dns1123LabelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const dns1123LabelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const dns1123SubdomainFormat = `${dns1123LabelFormat}(\\.${dns1123LabelFormat})*`;
const dns1123SubdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const labelWithUnderscoreFormat = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const dns1123SubdomainWithUnderscoreFormat = `${labelWithUnderscoreFormat}(\\.${labelWithUnderscoreFormat})*`;
const dns1123SubdomainWithUnderscoreText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
const dns1035LabelFormat = "[a-z]([-a-z0-9]*[a-z0-9])?";
const dns1035LabelText =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const qualifiedNameFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const qualifiedNameText =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedNameExamples = ["MyName", "my.name", "123-abc"];
const labelValueFormat = `(${qualifiedNameFormat})?`;
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

const whole = (format: string): RegExp => new RegExp(`^(?:${format})$`);
const dns1123Label = whole(dns1123LabelFormat);
const dns1123Subdomain = whole(dns1123SubdomainFormat);
const dns1123SubdomainWithUnderscore = whole(dns1123SubdomainWithUnderscoreFormat);
const dns1035Label = whole(dns1035LabelFormat);
const qualifiedName = whole(qualifiedNameFormat);
const labelValue = whole(labelValueFormat);

function longerThan(name: string, limit: number): string[] {
  return byteLength(name) > limit ? [`must be no more than ${limit} characters`] : [];
}

function regexProblem(text: string, format: string, examples: readonly string[]): string {
  // Upstream puts a comma after every example, also before "or": `'my-name',  or '123-abc', regex …`.
  const listed = examples.map((example) => `'${example}', `).join(" or ");
  return `${text} (e.g. ${listed}regex used for validation is '${format}')`;
}
