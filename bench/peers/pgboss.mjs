// bench/peers/pgboss.mjs PATTERN N
//
// N jobs with dependencies, made by one call of flow(); then one loop that takes a thousand and completes them, until all are done.
// Nothing is executed. Prints milliseconds: to make them, to see them through.
import { PgBoss } from 'pg-boss'

const [pattern, count] = [process.argv[2], Number(process.argv[3])]
const width = count / 20

const parents = {
    independent: () => [],			// which flow() refuses
    'fan-out': i => i > 0 ? [0] : [],
    'fan-in': i => i === count - 1 ? Array.from({ length: count - 1 }, (_, p) => p) : [],
    layers: i => i < width ? [] : [0, 1, 2].map(k => (Math.floor(i / width) - 1) * width + (i + k) % width),
}[pattern]

const boss = new PgBoss({ host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE, supervise: false, schedule: false })
boss.on('error', error => { throw error })
await boss.start()
const queue = `${pattern}-${Date.now()}`
await boss.createQueue(queue)

const jobs = Array.from({ length: count }, (_, i) => ({ ref: String(i), name: queue, data: { i }, dependsOn: parents(i).map(String) }))
const begin = performance.now()
await (pattern === 'independent' ? boss.insert(queue, jobs) : boss.flow(jobs))
const made = performance.now()
for (let done = 0; done < count;) {
    const batch = await boss.fetch(queue, { batchSize: 1000 })
    if (batch.length === 0)
        throw new Error(`${done} of ${count} are done, and nothing is ready`)
    await boss.complete(queue, batch.map(job => job.id))
    done += batch.length
}
console.log((made - begin).toFixed(3), (performance.now() - made).toFixed(3))
await boss.stop({ graceful: false })
process.exit(0)
