// Logs one person in through a gateway, as the documentation of openid-client shows it.
import * as client from 'openid-client'
import { Browser, fetchTrusting, requestLink } from './browser.js'

async function logIn({ ISSUER, CLIENT_ID, CLIENT_SECRET, CA_FILE, REDIRECT_URI, ALG = 'ES256', SCOPE = 'openid' }) {
  const fetch = fetchTrusting(CA_FILE)
  const metadata = { id_token_signed_response_alg: ALG }
  const authentication = CLIENT_SECRET ? client.ClientSecretPost(CLIENT_SECRET) : client.None()
  const options = { [client.customFetch]: fetch }
  const issuer = new URL(ISSUER)
  const config = await client.discovery(issuer, CLIENT_ID, metadata, authentication, options)

  const verifier = client.randomPKCECodeVerifier()
  const checks = {
    pkceCodeVerifier: verifier,
    expectedNonce: client.randomNonce(),
    expectedState: client.randomState(),
    idTokenExpected: true,
  }
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce: checks.expectedNonce,
    state: checks.expectedState,
  })

  const back = await asThePerson(new Browser(fetch), address, new URL(REDIRECT_URI))
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  return { claims, userinfo }
}

async function asThePerson(browser, address, end) {
  const page = await browser.open(address, end)
  if (page.arrived) return page.arrived
  say({ link: requestLink(page) })
  return browser.waitForRedirect(page, end)
}

function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}

try {
  say(await logIn(process.env))
} catch (error) {
  const causes = []
  for (let one = error; one; one = one.cause) causes.push(one.message ?? JSON.stringify(one))
  say({ error: causes.join(': ') })
  process.exitCode = 1
}
