// A real OpenID Connect provider with forms: a name, then a password, then consent.
//   node provider.mjs PORT
// /control?broken=form|keys|token|userinfo   breaks one thing; none mends it
import http from "node:http";
import { Provider } from "oidc-provider";

const port = process.argv[2];
const issuer = `http://127.0.0.1:${port}`;
let broken = "";

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "watch",
      client_secret: "a secret & of: tests, only",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email"] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["of tests"] },
});

const page = (body) => `<!doctype html><title>Sign in</title><form action="/search"><input name="q"></form>${body}`;

function shown(uid, prompt, name) {
  if (broken === "form") return page("<p>We are working on it.");
  if (prompt === "consent") {
    return page(`<form method="post" action="/interaction/${uid}"><input type="hidden" name="agree" value="1">
      <button name="answer" value="cancel">Cancel</button><button name="answer" value="yes">Allow</button></form>`);
  }
  return name
    ? page(`<form method="post"><input type="hidden" name="login" value="${name}"><input type="password" name="secret"></form>`)
    : page(`<form method="post"><input type="email" name="login" autocomplete="username"><button>Next</button></form>`);
}

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

async function interact(request, response) {
  const { uid, prompt, params, session } = await provider.interactionDetails(request, response);
  const said = request.method === "POST" ? await body(request) : new URLSearchParams();
  const wrong = said.has("secret") && said.get("secret") !== "right & proper";
  const ask = (name) => response.setHeader("content-type", "text/html").end(shown(uid, prompt.name, name));
  if (request.method === "GET") return ask();
  if (prompt.name === "login" && (!said.has("secret") || wrong)) return ask(said.get("login"));
  let result = { login: { accountId: said.get("login") } };
  if (prompt.name === "consent") {
    if (said.get("answer") !== "yes" || said.get("agree") !== "1") throw new Error("not agreed");
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

http
  .createServer(async (request, response) => {
    const url = new URL(request.url, issuer);
    const parts = { "/jwks": "keys", "/token": "token", "/me": "userinfo" };
    try {
      if (url.pathname === "/control") {
        broken = url.searchParams.get("broken");
        response.end("ok");
      } else if (broken && parts[url.pathname] === broken) {
        response.statusCode = 503;
        response.end("{}");
      } else if (url.pathname.startsWith("/interaction/")) await interact(request, response);
      else await provider.callback()(request, response);
    } catch (error) {
      console.error(error);
      response.statusCode = 500;
      response.end(String(error));
    }
  })
  .listen(Number(port), "127.0.0.1", () => console.log("listening"));
