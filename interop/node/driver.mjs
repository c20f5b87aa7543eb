// Runs a module of docs/recipes that is made for a page or for another program: each line of the input is a function's name and its arguments, each line
// of the output what came of it, or the address that the page was sent to.
import { createInterface } from 'node:readline'

const kept = new Map()
globalThis.sessionStorage = { setItem: (name, value) => kept.set(name, value), getItem: (name) => kept.get(name) ?? null, removeItem: (name) => kept.delete(name) }
globalThis.location = { href: '', assign: (url) => (location.href = String(url)) }

const module = { ...(await import('./module.mjs')), visit: (url) => location.assign(url) }
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...parameters] = JSON.parse(line)
  let answer
  try {
    answer = { value: await module[name](...parameters), location: location.href }
    if (answer.value instanceof Response) answer.status = answer.value.status
  } catch (error) {
    answer = { error: [error.error, error.code, error.message].filter(Boolean).join(' ') }
  }
  console.log(JSON.stringify(answer))
}
