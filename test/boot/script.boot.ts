import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composeCloudInit } from "../../src/machine/cloud-init.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import { findObstacle } from "./can-boot.ts";
import { type CloudMachine, logIn, startCloudMachine } from "./cloud-machine.ts";

const SCRIPT = `#!/bin/bash
[[ -n $BASH_VERSION ]] && echo "bash, as $(id -un)" >/root/said
exit 3
`;

describe.skipIf(findObstacle() !== undefined)("cloud-init carries a user's script", () => {
  const keys = makeLeaseKeys("boot test");
  let cloud: CloudMachine;

  beforeAll(async () => {
    cloud = await startCloudMachine(composeCloudInit({ hostKey: keys.host, clientPublicKey: keys.client.publicKey }, SCRIPT));
    await cloud.beginBoot();
  });

  afterAll(() => cloud?.stop());

  test("with its own interpreter, and its failure does no harm to the login", async () => {
    await expect(cloud.finishBoot()).rejects.toThrow("exit code 1");
    expect(await cloud.read("cat /root/said")).toBe("bash, as root\n");
    const machine = await logIn(cloud, keys);
    expect((await machine.exec("cat /root/said")).stdout).toBe("bash, as root\n");
    machine.close();
  });
});
