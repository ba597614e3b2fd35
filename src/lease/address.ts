/** Where a machine answers SSH. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}
