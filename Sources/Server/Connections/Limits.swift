// SPDX-License-Identifier: Apache-2.0
// How much of this machine those who connect may use.

extension WebServer {
    /// What is refused or ended, however well it is meant.
    package struct Limits: Sendable, Hashable {
        /// Bytes of a file that is taken.
        package var upload = 2_000_000_000
        /// Connections that are open at once.
        package var connections = 2000
        /// Of these, from one address; behind a proxy all come from its own.
        package var perAddress = 200
        /// How long somebody may hold a connection without moving it on. Heads of requests get three times that.
        package var patience: Duration = .seconds(20)

        /// Bytes a second that a body or an answer moves on by, at least.
        static let slowest = 500
        /// Bytes of a refused body that are read, so that its sender sees the answer before the end.
        static let lingering = 16 << 20
        /// Bytes that may be left of a body that nobody reads, for the connection to be kept.
        static let rest = 256 << 10
        /// Bytes of an answer that the kernel keeps for a reader.
        static let sendBuffer: Int32 = 256 << 10
        /// Bytes of a header field, and of all of them with the address.
        static let headerField = 16 << 10
        static let headers = 32 << 10
        /// Header fields of a request.
        static let headerCount = 100

        /// What holds where nothing else is said.
        package init() {}

        /// The same for a process that may open so many files: some of them are for other things.
        package func within(files: Int) -> Limits {
            var limits = self
            limits.connections = min(connections, max(16, files - 512))
            limits.perAddress = min(perAddress, limits.connections)
            return limits
        }
    }
}
