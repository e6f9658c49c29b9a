import {
  Activity,
  Boxes,
  Cpu,
  FlaskConical,
  GraduationCap,
  HeartPulse,
  type LucideIcon,
  ScrollText,
  Trophy,
} from "lucide-react";

/** A page of the product, as the navigation shows it. */
export interface Place {
  readonly href: string;
  readonly label: string;
  readonly icon: LucideIcon;
  /** On a phone it stands behind "More": the bar holds five. */
  readonly more?: true;
}

export const places: readonly Place[] = [
  { href: "/", label: "Inference", icon: Activity },
  { href: "/training", label: "Training", icon: GraduationCap },
  { href: "/experiments", label: "Experiments", icon: FlaskConical },
  { href: "/models", label: "Models", icon: Boxes },
  { href: "/leaderboard", label: "Leaderboard", icon: Trophy, more: true },
  { href: "/episodes", label: "Episodes", icon: ScrollText, more: true },
  { href: "/gpu", label: "GPU", icon: Cpu, more: true },
  { href: "/status", label: "Status", icon: HeartPulse, more: true },
];
