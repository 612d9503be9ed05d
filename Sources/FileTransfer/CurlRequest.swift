// SPDX-License-Identifier: Apache-2.0
// What is asked of another machine, and what it answered, in Swift's values.

/// How a machine is reached and known, and how we are known to it.
package struct TransferAccess: Sendable {
    /// The name we go by; empty when there is none.
    package var user = ""
    /// The password, when there is one.
    package var password = ""
    /// The region of an S3 store.
    package var region = "us-east-1"
    /// An SSH private key as OpenSSH writes it, when there is one.
    package var privateKey = ""
    /// SSH keys that the machine may show: SHA-256 in base64, `SHA256:` before it or not.
    package var hostKeys: [String] = []
    /// PEM file of the authorities that may vouch for the machine; the system's when empty.
    package var authorities = ""
    /// How long to wait for a connection.
    package var connecting = Duration.seconds(20)
    /// How long a machine may say nothing.
    package var silence = Duration.seconds(60)

    /// Nobody's access.
    package init() {}

    /// The same without name and password, where these are not shown as they are.
    var withoutPassword: TransferAccess {
        var access = self
        (access.user, access.password) = ("", "")
        return access
    }
}

/// One transfer.
package struct CurlRequest {
    /// Where the bytes of an answer go.
    package enum Sink {
        /// Into memory, at most so many.
        case memory(limit: Int)
        /// Into a new file with a name of its own in a folder, at most so many.
        case file(folder: String, name: String, limit: Int)
    }

    /// The whole address.
    package var url: String
    /// What the address may begin with, for libcurl: `sftp`.
    package var scheme: String
    /// A method that is not the protocol's usual one.
    package var method: String?
    /// `NAME: VALUE`, beside those that the protocol asks for.
    package var headers: [String] = []
    /// SSH or FTP commands, before anything else.
    package var commands: [String] = []
    /// SSH or FTP commands after an upload.
    package var commandsAfter: [String] = []
    /// No answer's body is wanted.
    package var isBodyless = false
    /// What to send.
    package var upload: Upload?
    /// Who a message comes from and whom it is for.
    package var mail: (sender: String, recipients: [String])?
    /// Bytes to send.
    package var body: [UInt8]?
    /// On a connection of its own, which it may leave in any state.
    package var isAlone = false
    /// TLS from the first command on (FTP).
    package var needsTLS = false
    /// A server that has let us in before: what it refuses without a reason is no login (IMAP).
    package var isAdmitted = false
    /// How long it may take as a whole, where that is known.
    package var deadline: Duration?
    /// Where an answer's bytes go.
    package var sink = Sink.memory(limit: 16 << 20)

    /// What is sent.
    package enum Upload {
        /// A file of this machine.
        case file(String)
        /// Bytes in memory.
        case bytes([UInt8])
    }

    /// A transfer with nothing special about it.
    package init(url: String, scheme: String) {
        self.url = url
        self.scheme = scheme
    }
}

/// What was answered.
package struct CurlAnswer {
    /// The protocol's own code; 0 where it has none.
    package var status = 0
    /// Headers by their names in lower case.
    package var headers: [String: String] = [:]
    /// What was written into memory.
    package var bytes: [UInt8] = []
    /// Number of bytes received.
    package var received = 0
    /// Seconds since 1970 of the last change, where it is known.
    package var changed: Int?
}
