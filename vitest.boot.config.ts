import { defineConfig } from "vitest/config";

/** `npm run test:boot`: apart from the other tests, for it needs root, debootstrap and a Debian mirror. */
export default defineConfig({
  test: {
    include: ["test/boot/**/*.boot.ts"],
    testTimeout: 120_000,
    // The first run installs a Debian.
    hookTimeout: 600_000,
    pool: "forks",
    maxWorkers: 1,
    // Each file is one boot, told in order.
    bail: 1,
  },
});
