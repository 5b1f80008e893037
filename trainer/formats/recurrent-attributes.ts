/** The attributes of lstm, gru and simpleRnn that formats have to express. */
export interface RecurrentAttributes {
  readonly units: number;
  readonly returnSequences: boolean;
  readonly reverse: boolean;
  readonly masked: boolean;
  readonly initialState: boolean;
  readonly returnCell?: boolean;
}
