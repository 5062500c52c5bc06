"""The vocabulary of the invented conference: names, places, subjects. All of it is invented."""

from __future__ import annotations

from typing import Final

ROOMS: Final = (
    ("Grand Ballroom", 900),
    ("Lakeview A", 240),
    ("Lakeview B", 240),
    ("Prairie Hall", 320),
    ("Riverwalk Theater", 180),
    ("Workshop Studio 1", 60),
    ("Workshop Studio 2", 60),
    ("Expo Stage", None),
)

TRACKS: Final = (
    ("Data Platforms", "#1f77b4"),
    ("Applied AI", "#9467bd"),
    ("Cloud & Infrastructure", "#17becf"),
    ("Security & Trust", "#d62728"),
    ("Product & Design", "#ff7f0e"),
    ("Leadership", "#2ca02c"),
    ("Community & Open Source", "#8c564b"),
)

SUBJECTS: Final = {
    "Data Platforms": ("Change Streams", "Lakehouse Tables", "Event Sourcing", "Data Contracts", "Stream Joins"),
    "Applied AI": ("Retrieval", "Small Models", "Evaluation Suites", "Speech Interfaces", "Forecasting"),
    "Cloud & Infrastructure": (
        "Multi-Region Failover",
        "Cluster Upgrades",
        "Edge Caches",
        "Build Farms",
        "Autoscaling",
    ),
    "Security & Trust": ("Passkeys", "Supply Chains", "Threat Models", "Secret Rotation", "Zero Trust"),
    "Product & Design": ("Onboarding", "Design Systems", "Accessibility", "Pricing Pages", "User Research"),
    "Leadership": ("Hiring", "Incident Reviews", "Career Ladders", "Remote Teams", "Technical Strategy"),
    "Community & Open Source": ("Maintainership", "Governance", "Documentation", "First Contributions", "Licensing"),
}

ANGLES: Final = (
    "{subject} in Production: Five Years of Lessons",
    "{subject} Without the Hype",
    "What We Got Wrong about {subject}",
    "A Field Guide to {subject}",
    "{subject}, Measured",
    "{subject} on a Small Budget",
    "From Zero to {subject} in One Quarter",
    "{subject}: a Hands-On Workshop",
    "The Quiet Cost of {subject}",
    "Rethinking {subject}",
)

FIRST_NAMES: Final = (
    "Amara", "Benicio", "Chiara", "Dmitri", "Eilidh", "Farid", "Giulia", "Hiroshi", "Ingrid", "João",
    "Keiko", "Léa", "Mateo", "Nadia", "Oisín", "Priya", "Quentin", "Rosa", "Søren", "Tomasz",
    "Ulrike", "Vikram", "Wanjiru", "Ximena", "Yusuf", "Zuzana",
)  # fmt: skip

LAST_NAMES: Final = (
    "Abernathy", "Brandvold", "Castellano", "Delacroix", "Eriksen", "Fitzwilliam", "García-Peña", "Hoshino",
    "Iwanowski", "Jankovic", "Kowalczyk", "Lindqvist", "Mbeki", "Nakagawa", "O'Rourke", "Petrosyan",
    "Quiñones", "Rasmussen", "Szabó", "Thornbury", "Umarov", "van der Velde", "Whitlock", "Yamashita",
)  # fmt: skip

JOB_TITLES: Final = (
    "Staff Engineer", "Head of Platform", "Principal Designer", "Director of Data", "Security Architect",
    "VP Engineering", "Research Scientist", "Developer Advocate", "Product Manager", "",
)  # fmt: skip

COMPANIES: Final = (
    "Bluestem Analytics", "Harborlight Systems", "Copperleaf Labs", "Northfield Robotics", "Juniper & Vale",
    "Tallgrass Cloud", "Meridian Freight", "Open Prairie Foundation", "Sablewood Health", "",
)  # fmt: skip

SPONSORS: Final = (
    ("Tallgrass Cloud", "Gold"),
    ("Harborlight Systems", "Gold"),
    ("Copperleaf Labs", "Silver"),
    ("Meridian Freight", "Silver"),
    ("Juniper & Vale", "Bronze"),
    ("Open Prairie Foundation", ""),
)
