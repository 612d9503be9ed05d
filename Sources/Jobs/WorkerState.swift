// SPDX-License-Identifier: Apache-2.0
// What a worker has in hand: free slots, lent jobs, jobs that are done and not yet written.

internal import Synchronization

/// Why a handler is stopped before its end.
enum StopReason: Error {
    /// Another worker has the job.
    case leaseLost
    /// Somebody asked for it.
    case cancelled
    /// The process is about to end.
    case draining
}

/// What the maintenance of a worker has to do next.
struct Duties: OptionSet {
    let rawValue: Int

    static let fetch = Duties(rawValue: 1)
    static let promote = Duties(rawValue: 2)
    static let beat = Duties(rawValue: 4)
    static let reap = Duties(rawValue: 8)
    static let all: Duties = [.fetch, .promote, .beat, .reap]
}

/// The state that a worker's tasks share.
final class WorkerState: Sendable {
    /// A job that is done, with the run that it was.
    typealias Done = (job: Job, run: Int?)

    private struct Lent {
        let job: Job
        let stop: AsyncStream<StopReason>.Continuation
    }

    private struct State {
        var free: [QueueName: Int]
        var lent: [Int: Lent] = [:]
        var done: [Done] = []
        var duties: Duties = []
        var isDraining = false
        /// Queues of which the last fetch took all it could, and the group whose turn is next.
        var turns: [QueueName: String] = [:]
    }

    private let state: Mutex<State>
    /// Tells the maintenance that it has duties.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    /// Tells that jobs are done and wait to be written.
    let pending: AsyncStream<Void>
    private let pend: AsyncStream<Void>.Continuation

    init(slots: [QueueName: Int]) {
        (pending, pend) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state = Mutex(State(free: slots))
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: - Duties

    func demand(_ duties: Duties) {
        state.withLock { $0.duties.formUnion(duties) }
        signal.yield()
    }

    func takeDuties() -> Duties {
        state.withLock { state in
            defer { state.duties = [] }
            return state.duties
        }
    }

    /// No job is fetched any more.
    func drain() {
        state.withLock { $0.isDraining = true }
        signal.yield()
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    // MARK: - Jobs

    func room(in queue: QueueName) -> Int {
        state.withLock { $0.isDraining ? 0 : $0.free[queue] ?? 0 }
    }

    /// Takes slots for fetched jobs; each gets the stream that its handler is stopped by.
    func take(_ jobs: [Job], wasFull: Bool, from queue: QueueName) -> [AsyncStream<StopReason>] {
        state.withLock { state in
            // Behind the groups that just had their turn; then from the first again.
            state.turns[queue] = wasFull ? (jobs.map(\.group).max() ?? "") + "\u{1}" : nil
            state.free[queue, default: 0] -= jobs.count
            return jobs.map { job in
                let (stream, continuation) = AsyncStream.makeStream(
                    of: StopReason.self, bufferingPolicy: .bufferingOldest(1))
                state.lent[job.token] = Lent(job: job, stop: continuation)
                return stream
            }
        }
    }

    /// The group that the next fetch begins with; empty = the first.
    func turn(in queue: QueueName) -> String {
        state.withLock { $0.turns[queue] ?? "" }
    }

    /// Frees a job's slot.
    func end(_ job: Job) {
        let wantsMore = state.withLock { state in
            state.lent.removeValue(forKey: job.token)?.stop.finish()
            state.free[job.queue, default: 0] += 1
            return state.turns[job.queue] != nil
        }
        if wantsMore { demand(.fetch) }
    }

    /// Jobs lent at this moment.
    var lent: [Job] { state.withLock { $0.lent.values.map(\.job) } }

    /// Stops the handlers of some jobs, or of all.
    func stop(_ reason: StopReason, where isMeant: (Job) -> Bool = { _ in true }) {
        state.withLock { state in
            for lent in state.lent.values where isMeant(lent.job) { lent.stop.yield(reason) }
        }
    }

    // MARK: - Completion

    /// Adds a job that is done; gives all of them back when there are enough for a write.
    func addDone(_ done: Done, batch: Int) -> [Done] {
        defer { pend.yield() }
        return state.withLock { state in
            state.done.append(done)
            guard state.done.count >= batch else { return [] }
            defer { state.done = [] }
            return state.done
        }
    }

    func takeDone() -> [Done] {
        state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }
}
