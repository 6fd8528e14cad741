/** Colours and weights of a terminal. */
export interface Paint {
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const same = (text: string): string => text;
/** For pipes and files: nothing but the text. */
export const plainPaint: Paint = { dim: same, bold: same, red: same, green: same, yellow: same };
