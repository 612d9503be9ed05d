// SPDX-License-Identifier: Apache-2.0
// Runs an actor on a queue of its own, so that a blocking call in C holds up nobody else.

package import Dispatch

/// A serial executor on one dispatch queue, for actors that call blocking C functions.
///
/// Blocking on the cooperative pool starves every other task, and a concurrent queue stops growing its threads
/// early; one serial queue each has neither fault.
package final class SerialQueueExecutor: SerialExecutor {
    /// The queue, for event sources that must run between the actor's calls.
    package let queue: DispatchQueue

    /// A new queue called `label` in debuggers.
    package init(label: String) {
        queue = DispatchQueue(label: label)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in
            unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    /// Lets `assumeIsolated` succeed inside the queue's own event handlers.
    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }
}
