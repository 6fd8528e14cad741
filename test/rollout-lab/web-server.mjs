// The web server of the rollout lab: one program that behaves well or badly, as its environment says. Runs as it is, in a container or as a process.
//
//   POD, POD_IP     who it is; what it answers begins with POD
//   WARM_UP_MS      how long it loads before it can do its work
//   LISTENS_EARLY   it listens from the beginning, and answers 503 while it loads
//   READINESS       "honest": /ready tells how it is; "always": /ready says 200 from the beginning
//   ON_TERM         "drain": takes no new connections, finishes what it has in hand, ends; "exit": ends at once; "ignore"
//   STALL_EVERY_MS, STALL_MS   stands still from time to time, as in a long garbage collection
//
// Paths: / (10 to 30 ms of work), /slow (3 s), /ready, /alive, /close (closes its listener, for a preStop hook).

import { createServer } from "node:http";

const { POD = "", POD_IP = "127.0.0.1", READINESS = "honest", ON_TERM = "drain", LISTENS_EARLY } = process.env;
const number = (name) => Number(process.env[name] ?? "0");
const port = 8080;

let isWarm = false;
let isStopping = false;
let requests = 0;

const server = createServer((request, response) => {
  const answer = (status, text, wait = 0) =>
    setTimeout(() => {
      // A client that keeps its connection would come back to a server that has gone.
      if (isStopping) response.setHeader("connection", "close");
      response.writeHead(status).end(`${POD} ${text}\n`);
    }, wait);
  switch (request.url ?? "") {
    case "/ready":
      return answer(isWarm || READINESS === "always" ? 200 : 503, isWarm ? "ready" : "loading");
    case "/alive":
      return answer(200, "alive");
    case "/close":
      answer(200, "closed");
      return server.close();
    case "/slow":
      return isWarm ? answer(200, "done", 3000) : answer(503, "loading");
    default:
      requests += 1;
      return isWarm ? answer(200, "done", 10 + (requests % 21)) : answer(503, "loading");
  }
});

const listen = () => server.listen({ host: POD_IP, port, backlog: 511 });

if (LISTENS_EARLY === "true") listen();
setTimeout(() => {
  isWarm = true;
  if (LISTENS_EARLY !== "true") listen();
}, number("WARM_UP_MS"));

if (number("STALL_EVERY_MS") > 0) {
  setInterval(() => {
    const until = performance.now() + number("STALL_MS");
    while (performance.now() < until);
  }, number("STALL_EVERY_MS"));
}

process.on("SIGTERM", () => {
  if (ON_TERM === "ignore") return;
  if (ON_TERM === "exit") process.exit(0);
  isStopping = true;
  // `close` calls back when the last connection has ended.
  if (server.listening) server.close(() => process.exit(0));
  else process.exit(0);
});
