/** The options by which every stream command says where the streams are. */
export interface TargetFlags {
  readonly url?: string | undefined;
  readonly redis?: string | undefined;
  readonly dir?: string | undefined;
  readonly token?: string | undefined;
  readonly prefix?: string | undefined;
  readonly config?: string | undefined;
}
