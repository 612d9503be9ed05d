// SPDX-License-Identifier: Apache-2.0
// A flow as its file says it: what is fetched from where, how it is read, when.

package import CRM
package import ConnectorKit
internal import Diagnostics
internal import Jobs
package import Schedule

/// What IT says once.
package struct FlowDefinition: Sendable {
    /// Lower-case name with hyphens.
    package var name = ""
    /// One sentence for people.
    package var description = ""
    /// The connector's id.
    package var connector = ""
    /// What the connector wants to know.
    package var settings = Settings([:])
    /// The mapping's name; nil = chosen by what each file holds.
    package var mapping: String?
    /// Code of the source system whose claims the records are.
    package var source = "erp"
    /// What goes out, where it is a flow of the other direction.
    package var outgoing: FlowOutgoing?
    /// When it runs by itself.
    package var schedule: FlowSchedule?
    /// Whether it runs as soon as a file has arrived in its folder of this machine.
    package var runsOnArrival = false
    /// The class of work: `scheduled` or `bulk`.
    package var queue = "scheduled"
    /// Attempts before a job is given up.
    package var attempts = 8
    /// Files that must be read as told before a version becomes current.
    package var tests: [FlowTest] = []
    /// How bad a file may be, where the flow and not its mapping says so.
    package var limits = ImportLimits()
    /// How long things are kept, where it is not as everywhere.
    package var retention = FlowRetention()
    /// By when something must have been received.
    package var expectation: FlowExpectation?
    /// Who is told when it was not, or when a job is given up.
    package var alerts = FlowAlerts()
    /// The file's text.
    package var text = ""

    /// Every secret that it names.
    var secrets: [Secret] { Array(settings.secrets.values) + (alerts.signedWith.map { [$0] } ?? []) }

    /// The group of its jobs, which run one at a time.
    package var group: String { Self.group(name) }

    /// The group of a flow's jobs.
    package static func group(_ name: String) -> String { "flow:" + name }
}

/// What goes out to another system.
package struct FlowOutgoing: Sendable {
    /// How it goes out.
    package enum Way: Sendable, Hashable {
        /// As files in a folder of this machine or at an address; the name has `{no}` or `{date}` in it.
        case files(to: String, name: String)
        /// As messages to a program that listens.
        case webhook(String)
    }

    /// Whose changes.
    package var entity: OutgoingEntity
    /// Name of the export mapping.
    package var mapping: String
    /// How.
    package var way: Way
    /// Codes of the sources whose own changes do not go out: whoever made a change need not be told.
    package var except: [String] = []
    /// Whether everything that the log has goes out at first, or what changes from now on.
    package var isFromStart = false

    /// The connector's id in the place of one.
    static let id = "outgoing"
    /// What signs messages.
    static let signature = SettingDescription(
        "signed_with", .text, secret: true, fr: "Secret qui signe les messages.",
        en: "Secret that signs messages.")
    /// What messages want to know.
    static let messages = ConnectorDescription(
        id: id, version: 1, settings: [signature], mappings: [])
}

/// When a flow runs, and what becomes of times that cannot be kept.
package struct FlowSchedule: Sendable {
    /// What becomes of times that passed while nothing ticked.
    package enum Missed: String, Sendable, CaseIterable {
        /// They are left out.
        case skip
        /// The last one counts.
        case once
        /// All of them, up to a number, the last ones.
        case all
    }

    /// What happens when the run before has not ended.
    package enum Overlap: String, Sendable, CaseIterable {
        /// The new one is left out.
        case skip
        /// The new one waits.
        case queue
        /// The old one is cancelled.
        case cancel
    }

    /// Which times.
    package var times: Schedule
    /// Name of the zone whose clock counts.
    package var zone = "Europe/Paris"
    /// Times missed.
    package var missed = Missed.once
    /// How many of them at most, with ``Missed/all``.
    package var missedLimit = 10
    /// Times that come too soon.
    package var overlap = Overlap.skip
    /// Runs begin up to so many seconds later, so that not all begin at once.
    package var jitterSeconds = 0
}

/// By when something must have been received: since the time before, at each time.
package struct FlowExpectation: Sendable {
    /// Which times.
    package var times: Schedule
    /// Name of the zone whose clock counts.
    package var zone: String
}

/// How long things of a flow are kept, in days; nil = as everywhere.
package struct FlowRetention: Sendable, Hashable {
    /// Bytes of files.
    package var files: Int?
    /// What was there before its runs: as long as these can be undone.
    package var images: Int?
    /// What became of its jobs.
    package var jobs: Int?
}

/// Who is told.
package struct FlowAlerts: Sendable, Hashable {
    /// Addresses.
    package var mail: [String] = []
    /// Where a program listens.
    package var webhook: String?
    /// The secret that signs what it is told.
    package var signedWith: Secret?
}

/// A file that a flow must be able to read.
package struct FlowTest: Sendable, Hashable {
    /// Path beside the flow's file.
    package var file = ""
    /// Records that it must have.
    package var records = 0
    /// Of these, with an error.
    package var errors = 0
}
