/** Countries (ISO 3166-1) by region group; all others are `Other`. */
const GROUPS = {
  US: "US",
  EU: "AD AL AT BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM UA UK VA XK",
  APAC: "AU BD BN BT CN FJ HK ID IN JP KH KR LA LK MM MN MO MV MY NC NP NZ PG PH PK SG TH TL TW VN",
} as const;

const byCountry = new Map(
  Object.entries(GROUPS).flatMap(([group, countries]) => countries.split(" ").map((country) => [country, group])),
);

/** The region group of a country code. */
export function regionOf(country: string | undefined): string {
  return byCountry.get(country?.trim().toUpperCase() ?? "") ?? "Other";
}
