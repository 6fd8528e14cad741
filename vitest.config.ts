import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // The integration suites start real servers and real containers; two at a time is what two cores carry.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Real kubectls, containerds and kill -9 on a loaded machine: two more tries, and the closing lines name whoever needed it.
    retry: process.env.CI === undefined ? 0 : 2,
    reporters: ["default", "./test/closing-lines.ts"],
  },
});
