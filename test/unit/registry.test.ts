import { expect, test } from "vitest";
import { templateMarketplace } from "../../docs/marketplace-template/market.ts";
import { systemClock } from "../../src/lease/clock.ts";
import { JournalFailure } from "../../src/lease/failure.ts";
import { silentLog } from "../../src/lease/log.ts";
import { marketplaceNamed, providers } from "../../src/market/registry.ts";

test("every marketplace is there by its name, opens as itself, and holds the token in none of its commands", async () => {
  expect(Object.keys(providers)).toEqual(["compute-clear", "clore"]);
  for (const name of Object.keys(providers)) {
    const marketplace = marketplaceNamed(name);
    expect(marketplace.facts).toBe(providers[name]);
    const market = marketplace.open({ token: "the-token", apiUrl: "https://127.0.0.1:1", log: silentLog, clock: systemClock });
    expect(market.name).toBe(name);
    expect(market.traits.rents).toBe(marketplace.facts.rents);
    expect(market.byHand.toDelete("1")).not.toContain("the-token");
    await market.close();
  }
});

test.each(["elsewhere", "toString", "__proto__", ""])(
  "'%s' is a marketplace that is not known, with a hint where to look",
  (name) => {
    expect(() => marketplaceNamed(name)).toThrow(JournalFailure);
  },
);

test("the template that a new marketplace begins with opens", async () => {
  const market = templateMarketplace.open({
    token: "t",
    apiUrl: templateMarketplace.facts.apiUrl,
    log: silentLog,
    clock: systemClock,
  });
  expect(market.byHand.toDelete("a b")).toContain("/machines/a%20b");
  await market.close();
});
