// Loaded before the program of stories: whoever asks the machine for the time, for chance or for a timer ends it.

const refuse = (what) => () => {
  throw new Error(`a story asked for ${what}`);
};
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) refuse("the time of day")();
    super(...given);
  }
};
Date.now = refuse("the time of day");
Math.random = refuse("chance");
globalThis.setTimeout = refuse("a timer");
globalThis.setInterval = refuse("a timer");
globalThis.fetch = refuse("the network");
performance.now = refuse("the time");
crypto.randomUUID = refuse("chance");
crypto.getRandomValues = refuse("chance");
process.hrtime = refuse("the time");
