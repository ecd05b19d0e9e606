// What a person's browser does in a log-in: cookies, redirects, pages that go on by themselves.
import { readFileSync } from 'node:fs'
import { lookup } from 'node:dns'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, fetch } from 'undici'

const PATIENCE_MS = 60_000
const REDIRECTS_MAX = 10

// Names under localhost are this machine (RFC 6761 section 6.3); not every system knows.
function resolve(host, options, callback) {
  if (host !== 'localhost' && !host.endsWith('.localhost')) return lookup(host, options, callback)
  const address = { address: '127.0.0.1', family: 4 }
  if (options.all) return callback(null, [address])
  callback(null, address.address, address.family)
}

// A fetch that trusts the authorities in `caFile` alone.
export function fetchTrusting(caFile) {
  const connect = { ca: readFileSync(caFile), lookup: resolve }
  const dispatcher = new Agent({ connect })
  return (url, options) => fetch(url, { ...options, dispatcher })
}

export class Browser {
  #fetch
  #cookies = new Map()

  constructor(fetch) {
    this.#fetch = fetch
  }

  // Opens `url` and follows redirects; one to `end` is not opened, only told.
  async open(url, end) {
    for (let count = 0; count <= REDIRECTS_MAX; count += 1) {
      if (leadsTo(url, end)) return { arrived: url }
      const headers = { cookie: this.#cookieHeader(url) }
      const answer = await this.#fetch(url, { headers, redirect: 'manual' })
      this.#keepCookies(url, answer.headers.getSetCookie())
      const html = await answer.text()
      const location = answer.headers.get('location')
      if (!location) {
        if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${textOf(html)}`)
        return { url, html }
      }
      url = new URL(location, url)
    }
    throw new Error('too many redirects')
  }

  // Lets a page refresh itself until it has led to `end`.
  async waitForRedirect(page, end) {
    const deadline = Date.now() + PATIENCE_MS
    while (!page.arrived) {
      const interval = page.html.match(/http-equiv="refresh" content="(\d+)/)
      if (!interval) throw new Error(`the page does not go on: ${textOf(page.html)}`)
      if (Date.now() > deadline) throw new Error('nobody answered')
      await pause(Number(interval[1]) * 1000)
      page = await this.open(page.url, end)
    }
    return page.arrived
  }

  #cookieHeader(url) {
    const held = this.#cookies.get(url.host) ?? new Map()
    return [...held].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  // The gateway's cookies are all for one host and the whole of it, so the host is all that counts.
  #keepCookies(url, lines) {
    const held = this.#cookies.get(url.host) ?? new Map()
    for (const line of lines) {
      const [pair, ...attributes] = line.split(';')
      const [name, value] = pair.split(/=(.*)/s)
      if (attributes.some((one) => one.trim().toLowerCase() === 'max-age=0')) held.delete(name)
      else held.set(name, value)
    }
    this.#cookies.set(url.host, held)
  }
}

// The request in the command that the page shows for a wallet in a terminal.
export function requestLink(page) {
  const command = page.html.match(/data-testid="wallet-command">([^<]*)</)
  const link = command && unescapeHtml(command[1]).match(/openid4vp:\/\/[^']*/)
  if (!link) throw new Error(`no request for a wallet: ${textOf(page.html)}`)
  return link[0]
}

function leadsTo(url, end) {
  return url.origin === end.origin && url.pathname === end.pathname
}

function unescapeHtml(text) {
  const names = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) =>
    code ? String.fromCodePoint(Number(code)) : (names[name] ?? all),
  )
}

function textOf(html) {
  return html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim()
}
