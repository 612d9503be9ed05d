// SPDX-License-Identifier: Apache-2.0
// A person, an organisation or a group in the terms of the CRM.

package import Diagnostics

/// What a vCard says, as far as it is understood.
///
/// - Source: RFC 6350 (4.0), RFC 2426 (3.0), vCard 2.1 of the Versit Consortium.
package struct Contact: Hashable, Sendable {
    /// What a card stands for.
    package enum Kind: String, Sendable, CaseIterable {
        case individual
        case group
        case organization = "org"
        case location
    }

    /// The parts of a name; several of a part are joined by blanks.
    package struct Name: Hashable, Sendable {
        /// Family name.
        package var family = ""
        /// Given name.
        package var given = ""
        /// Further names.
        package var additional = ""
        /// Titles in front.
        package var prefix = ""
        /// Titles behind.
        package var suffix = ""

        /// A name of these parts.
        package init(
            family: String = "", given: String = "", additional: String = "", prefix: String = "",
            suffix: String = ""
        ) {
            self.family = family
            self.given = given
            self.additional = additional
            self.prefix = prefix
            self.suffix = suffix
        }
    }

    /// A number, a mail address or a page, and what it is for.
    package struct Channel: Hashable, Sendable {
        /// The number or address, without `tel:` and `mailto:`.
        package let value: String
        /// `home`, `work`, `cell`, … in lower case, without `pref`.
        package let types: [String]
        /// Whether it is the one to use first.
        package let isPreferred: Bool
        /// The person's own word for it (Apple's X-ABLABEL); nil where there is none.
        package let label: String?

        /// A number or an address, without scheme.
        package init(_ value: String, types: [String] = [], isPreferred: Bool = false, label: String? = nil) {
            self.value = value
            self.types = types
            self.isPreferred = isPreferred
            self.label = label
        }
    }

    /// A postal address.
    package struct Address: Hashable, Sendable {
        /// Post office box.
        package var box = ""
        /// Building, floor.
        package var extended = ""
        /// Number and street, lines separated by line ends.
        package var street = ""
        /// Town.
        package var locality = ""
        /// Region.
        package var region = ""
        /// Postal code.
        package var code = ""
        /// Country.
        package var country = ""
        /// `home`, `work`, … in lower case, without `pref`.
        package var types: [String] = []
        /// Whether it is the one to use first.
        package var isPreferred = false

        /// An address that says nothing.
        package init() {}
    }

    /// A picture.
    package enum Photo: Hashable, Sendable {
        /// The picture itself, and its media type, such as `image/jpeg`; nil where it is not said.
        case bytes([UInt8], mediaType: String?)
        /// Where it is.
        case address(String)
    }

    /// A birthday, whose year people like to keep to themselves.
    package struct Birthday: Hashable, Sendable {
        /// The year; nil where it is not said.
        package let year: Int?
        /// The month, 1...12.
        package let month: Int
        /// The day of the month.
        package let day: Int

        /// A day of a year, or of any.
        package init(year: Int?, month: Int, day: Int) {
            self.year = year
            self.month = month
            self.day = day
        }
    }

    /// What it stands for.
    package var kind = Kind.individual
    /// Its UID; empty where it has none.
    package var uid = ""
    /// The name as it is shown.
    package var formattedName: String?
    /// The name in parts; nil where it is not given so.
    package var name: Name?
    /// What friends say.
    package var nickname: String?
    /// The organisation, then its units.
    package var organization: [String] = []
    /// The position.
    package var title: String?
    /// What the person does there.
    package var role: String?
    /// Phone numbers, in the order written.
    package var phones: [Channel] = []
    /// Mail addresses.
    package var mails: [Channel] = []
    /// Pages.
    package var pages: [Channel] = []
    /// Postal addresses.
    package var addresses: [Address] = []
    /// Free text.
    package var note: String?
    /// Birthday.
    package var birthday: Birthday?
    /// Picture.
    package var photo: Photo?
    /// Free words to sort by.
    package var categories: [String] = []
    /// The UIDs of the members of a group, without `urn:uuid:`.
    package var members: [String] = []
    /// When it was last changed.
    package var revision: CalendarMoment?
    /// What was not understood, by line, property and value.
    package internal(set) var findings: [Diagnostic] = []

    /// A contact that says nothing.
    package init() {}

    /// The contact that a vCard describes.
    package init(_ object: ContactObject) {
        var reader = ContactReader(object.card, version: object.version)
        self = reader.read()
    }
}
