// SPDX-License-Identifier: Apache-2.0
// Calls back when a socket can be read, on the queue of the actor that owns the socket.

internal import Blocking
internal import Dispatch

/// A read source on a socket, from its creation until it is cancelled.
///
/// `@unchecked Sendable`: Dispatch sources may be cancelled from any thread, and nothing else is called here.
final class SocketWatch: @unchecked Sendable {
    private let source: any DispatchSourceRead

    /// Calls `readable` on the executor's queue whenever there is something to read.
    init(_ socket: Int32, on executor: SerialQueueExecutor, readable: @escaping @Sendable () -> Void) {
        source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: executor.queue)
        source.setEventHandler(handler: readable)
        source.activate()
    }

    /// Ends the watch and lets go of the callback.
    func cancel() {
        source.cancel()
    }
}
