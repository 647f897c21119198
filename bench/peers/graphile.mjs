// bench/peers/graphile.mjs wide N | single N
//
// wide: N jobs are there, each does SELECT 1; milliseconds until all are done, 24 at a time, as it comes (no local queue).
// single: a worker that listens gets one job after another; milliseconds from the commit of add_job to the start of the task,
// the median and the 99th percentile.
import { run, runMigrations, makeWorkerUtils, Logger } from 'graphile-worker'
import pg from 'pg'

const [what, count] = [process.argv[2], Number(process.argv[3])]
const pgPool = new pg.Pool({ max: 30 })
pgPool.on('error', () => {}).on('connect', client => client.on('error', () => {}))
const logger = new Logger(() => () => {})
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
let started = () => {}

const options = {
    pgPool, logger, concurrency: 24, noHandleSignals: true,
    taskList: { one: async (payload, helpers) => { started(performance.now()); await helpers.query('SELECT 1') } },
}
await runMigrations({ pgPool, logger })
const utils = await makeWorkerUtils({ pgPool, logger })

async function wide() {
    await utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'one', payload: {} })))
    const begin = performance.now()
    let left = count
    const all = new Promise(resolve => { started = () => { if (--left === 0) resolve() } })
    const runner = await run(options)
    await all
    await runner.stop()
    console.log((performance.now() - begin).toFixed(3))
}

async function single() {
    const runner = await run(options)
    const times = []
    await pause(500)
    for (let i = 0; i < count; i++) {
        const start = new Promise(resolve => { started = resolve })
        await utils.addJob('one', {})
        const committed = performance.now()
        times.push(await start - committed)
        await pause(30)
    }
    await runner.stop()
    times.sort((a, b) => a - b)
    console.log(times[Math.floor(count / 2)].toFixed(3), times[Math.floor(count * 0.99)].toFixed(3))
}

await { wide, single }[what]()
process.exit(0)
