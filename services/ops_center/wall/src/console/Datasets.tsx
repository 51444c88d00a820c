import "../catalogue/catalogue.css";

import { Catalogue } from "../catalogue/Catalogue";
import { c } from "../catalogue/texts";
import { hashOf, route } from "./route";
import { Sheet } from "./Sheet";

/** What data there is, as far as whoever is logged in may know of it. */
export function Datasets() {
  return (
    <Sheet id="catalogue" title={c("catalogue")} more={c("catalogue_more")}>
      <Catalogue chosen={route.value.item} href={(one) => hashOf("catalogue", one)} />
    </Sheet>
  );
}
